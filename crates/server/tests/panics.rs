//! Alone in its program, because the hook is the whole program's.

use glacier_upload_server::metrics::Metrics;

#[test]
fn a_panic_is_counted() {
    let metrics = Metrics::new();
    metrics.watch_panics();
    assert!(std::thread::spawn(|| panic!("canary")).join().is_err());
    assert!(metrics.text().contains("glacier_upload_panics_total 1\n"));
    assert!(!metrics.text().contains("canary"));
}
