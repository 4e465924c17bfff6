//! How much of the machine is taken, by all and by each address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::Limits;

/// Connections and requests that are open. Clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    connections: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    per_address: usize,
}

/// One of an address's connections for as long as this lives.
#[derive(Debug)]
pub(crate) struct OfAddress {
    room: Room,
    address: IpAddr,
}

impl Room {
    pub(crate) fn new(limits: &Limits) -> Self {
        let of = |most: usize| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self {
            connections: of(limits.connections),
            requests: of(limits.requests),
            by_address: Arc::default(),
            per_address: limits.connections_per_address,
        }
    }

    /// Waits until there is room for one more connection.
    pub(crate) async fn connection(&self) -> Option<OwnedSemaphorePermit> {
        // Acquiring fails only when the semaphore is closed, which nobody does.
        Arc::clone(&self.connections).acquire_owned().await.ok()
    }

    /// Room for one more connection of that address, if there is any.
    pub(crate) fn of_address(&self, peer: IpAddr) -> Option<OfAddress> {
        let address = network(peer);
        let mut counts = self.counts();
        let count = counts.entry(address).or_default();
        if *count >= self.per_address {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(OfAddress { room: self.clone(), address })
    }

    /// Room for one more request, if there is any.
    pub(crate) fn request(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.requests).try_acquire_owned().ok()
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // No code that holds the lock can leave the counts half changed.
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OfAddress {
    fn drop(&mut self) {
        let mut counts = self.room.counts();
        let left = counts.get(&self.address).map_or(0, |count| count.saturating_sub(1));
        match left {
            0 => counts.remove(&self.address),
            _ => counts.insert(self.address, left),
        };
    }
}

/// Whom an address stands for: itself, or in IPv6 the 64 bits that one customer of a provider has to choose from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn an_address_has_its_share_and_ipv6_is_counted_by_64_bits() {
        let room = Room::new(&Limits { connections_per_address: 2, ..Limits::default() });
        let of = |text: &str| room.of_address(text.parse().unwrap());
        let first = of("2001:db8::1").unwrap();
        let _second = of("2001:db8::ffff:0:2").unwrap();
        assert!(of("2001:db8::3").is_none());
        assert!(of("2001:db8:0:1::1").is_some());
        drop(first);
        let _third = of("2001:db8::3").unwrap();
        let _v4 = [of("192.0.2.1").unwrap(), of("::ffff:192.0.2.1").unwrap()];
        assert!(of("192.0.2.1").is_none());
        assert!(of("192.0.2.2").is_some());
    }

    #[test]
    fn an_address_that_is_gone_is_forgotten() {
        let room = Room::new(&Limits::default());
        drop(room.of_address("192.0.2.1".parse().unwrap()));
        assert!(room.counts().is_empty());
    }
}
