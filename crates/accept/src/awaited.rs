//! A future that is polled only when something it waits for has happened.
//!
//! Hyper polls the handler each time that it polls its connection: with every piece of a body that the handler has long
//! given to another task. A handler is some twenty futures deep, and nothing in it had changed.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// A future with a waker of its own, and whether that was woken since the last look.
pub(crate) struct Awaited<F> {
    future: Pin<Box<F>>,
    bell: Arc<Bell>,
    waker: Waker,
}

#[derive(Debug)]
struct Bell {
    is_rung: AtomicBool,
    /// Whom to tell.
    outer: Mutex<Option<Waker>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Before the outer waker is looked for, and there it is looked at after that one was left: either the one who
        // polls sees the bell, or we see the waker.
        self.is_rung.store(true, Ordering::Release);
        let outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(outer) = outer {
            outer.wake();
        }
    }
}

impl<F: Future> Awaited<F> {
    pub(crate) fn new(future: F) -> Self {
        let bell = Arc::new(Bell { is_rung: AtomicBool::new(true), outer: Mutex::new(None) });
        Self { future: Box::pin(future), waker: Waker::from(Arc::clone(&bell)), bell }
    }
}

impl<F: Future> Future for Awaited<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        {
            let mut outer = this.bell.outer.lock().unwrap_or_else(PoisonError::into_inner);
            if !outer.as_ref().is_some_and(|outer| outer.will_wake(cx.waker())) {
                *outer = Some(cx.waker().clone());
            }
        }
        if !this.bell.is_rung.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        this.future.as_mut().poll(&mut Context::from_waker(&this.waker))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::oneshot;

    use super::*;

    /// Counts how often it was woken.
    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_future_is_polled_once_for_each_time_that_it_was_woken() {
        let (sender, mut receiver) = oneshot::channel();
        let polls = AtomicUsize::new(0);
        let mut awaited = pin!(Awaited::new(poll_fn(|cx| {
            polls.fetch_add(1, Ordering::Relaxed);
            Pin::new(&mut receiver).poll(cx)
        })));
        let (first, second) = (Arc::new(Wakes::default()), Arc::new(Wakes::default()));
        for wakes in [&first, &first, &second] {
            let waker = Waker::from(Arc::clone(wakes));
            assert!(awaited.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert_eq!(polls.load(Ordering::Relaxed), 1);
        assert_eq!(sender.send(7), Ok(()));
        // Whoever polled last is told.
        assert_eq!((first.0.load(Ordering::Relaxed), second.0.load(Ordering::Relaxed)), (0, 1));
        let waker = Waker::from(second);
        assert_eq!(awaited.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(Ok(7)));
        assert_eq!(polls.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_future_that_wakes_itself_is_polled_again() {
        let mut polls = 0;
        let mut awaited = pin!(Awaited::new(poll_fn(|cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            if polls == 3 { Poll::Ready(polls) } else { Poll::Pending }
        })));
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        let mut cx = Context::from_waker(&waker);
        assert!(awaited.as_mut().poll(&mut cx).is_pending());
        assert!(awaited.as_mut().poll(&mut cx).is_pending());
        assert_eq!(awaited.as_mut().poll(&mut cx), Poll::Ready(3));
        assert_eq!(wakes.0.load(Ordering::Relaxed), 3);
    }
}
