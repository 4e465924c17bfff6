//! Limits and markers of the four lists.

use serde_json::json;

use crate::client::{MIB, Machine, get};
use crate::refusals::check_value;

#[test]
fn every_list_refuses_what_is_no_limit_or_marker_of_its_own() {
    let machine = Machine::with_vault();
    let upload = machine.initiate(MIB);
    machine.finished_job(&json!({"Type": "inventory-retrieval"}));
    let (arn, inventory) = ("arn:aws:glacier:us-east-1:123456789012:vaults/v", "1767268800000_1");
    let uploads = "/-/vaults/v/multipart-uploads";
    for list in ["/-/vaults", "/-/vaults/v/jobs", uploads, &*upload] {
        for bad in ["0", "00", "-1", "+1", "1.5", "1e3", "ten", " 1", "0x10", "1,2"] {
            let target = format!("{list}?limit={}", bad.replace('+', "%2B").replace(' ', "%20"));
            let message = format!("Invalid limit: {bad}. A limit is a whole number of at least 1.");
            check_value(&machine, get(&target), &message);
        }
        for good in ["", "1", "50", "1001", "18446744073709551616"] {
            assert_eq!(machine.send(get(&format!("{list}?limit={good}&marker="))).status, 200, "{list} {good}");
        }
        check_value(&machine, get(&format!("{list}?limit=1&limit=1")), "Given more than once: limit");
        check_value(&machine, get(&format!("{list}?marker=1&marker=1")), "Given more than once: marker");
        let strange: &[&str] =
            if list == "/-/vaults" { &["1", "v", inventory] } else { &[arn, inventory, "-1", "1.5"] };
        for bad in strange {
            let message = format!("Invalid marker: {bad}. A marker is the Marker of the page before.");
            check_value(&machine, get(&format!("{list}?marker={bad}")), &message);
        }
    }
}
