//! Records of uploads between visits, in IndexedDB: one each, as JSON text. What one of them says, and whether it is one,
//! is for core to judge; what cannot be read is left alone, and hides nothing.

use std::cell::RefCell;

use glacier_core::json::Json;
use glacier_core::upload::{Record, is_outdated};
use js_sys::{Array, Object, Promise};
use wasm_bindgen::prelude::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::clock;
use crate::dynamic::call;
use crate::json::{self, set};
use crate::listening::Listening;
use crate::task;

/// Apart from any database of the page's own. Its form never changes: records have versions.
const DATABASE: &str = "glacier-upload-journal";
const STORE: &str = "uploads";

/// The database, opened when it is first needed. Every error is the browser's: it has none, or no room, or was told to
/// keep nothing.
#[derive(Default)]
pub(crate) struct Journal {
    opening: RefCell<Option<Promise>>,
}

impl Journal {
    /// All records, those begun first first.
    pub(crate) async fn all(&self) -> Result<Vec<Record>, JsValue> {
        self.records(&JsValue::UNDEFINED).await
    }

    /// Those of the same fingerprint, in the same order.
    pub(crate) async fn alike(&self, record: &Record) -> Result<Vec<Record>, JsValue> {
        let fingerprint = json::stringify(&record.fingerprint()).into();
        let (first, past) = (Array::of1(&fingerprint), Array::of2(&fingerprint, &Array::new()));
        let ranges = json::get(&clock::scope(), "IDBKeyRange");
        self.records(&call(&ranges, "bound", &[&first, &past])?).await
    }

    /// Those within a range, without those that are outdated, which are removed.
    async fn records(&self, range: &JsValue) -> Result<Vec<Record>, JsValue> {
        let values: Array = self.run("readonly", "getAll", &[range]).await?.dyn_into()?;
        let now = clock::wall_ms();
        let mut records = Vec::<Record>::new();
        for value in values.iter() {
            let Some((key, json)) = read(&value) else { continue };
            if is_outdated(&json, now) {
                // Another time, if not now.
                self.delete(key).await;
            } else if let Ok(record) = Record::read(&json) {
                let at = records.partition_point(|before| before.begun_at <= record.begun_at);
                records.insert(at, record);
            }
        }
        Ok(records)
    }

    /// The record as it is now, if it is still there.
    pub(crate) async fn current(&self, record: &Record) -> Option<Record> {
        let value = self.run("readonly", "get", &[&key(record)]).await.ok()?;
        Record::read(&read(&value)?.1).ok()
    }

    /// Writes an entry in place of the one before.
    pub(crate) async fn put(&self, entry: Array) -> bool {
        self.run("readwrite", "put", &[&entry, &entry.get(0)]).await.is_ok()
    }

    /// Removes what stands at that key.
    pub(crate) async fn delete(&self, key: Array) -> bool {
        self.run("readwrite", "delete", &[&key]).await.is_ok()
    }

    /// Does one thing, all or nothing, and gives what came of it. When it has been written it is on the disk.
    async fn run(&self, mode: &str, method: &str, arguments: &[&JsValue]) -> Result<JsValue, JsValue> {
        let opened = JsFuture::from(self.opening()).await?;
        let transaction = match begin(&opened, mode) {
            Ok(transaction) => transaction,
            // Browsers close a database whose data somebody clears.
            Err(_) => {
                self.opening.take();
                begin(&JsFuture::from(self.opening()).await?, mode)?
            }
        };
        let store = call(&transaction, "objectStore", &[&STORE.into()])?;
        let request = call(&store, method, arguments)?;
        ended(&transaction, "oncomplete", "onabort").await?;
        Ok(json::get(&request, "result"))
    }

    fn opening(&self) -> Promise {
        self.opening.borrow_mut().get_or_insert_with(|| task::promise(open())).clone()
    }
}

/// A record as it is written: its key, once more, and its text.
pub(crate) fn entry(record: &Record) -> Array {
    Array::of2(&key(record), &json::stringify(&record.to_json()).into())
}

/// In the order of the fingerprint first, so that those of one can be asked for.
pub(crate) fn key(record: &Record) -> Array {
    Array::of2(&json::stringify(&record.fingerprint()).into(), &record.id.as_str().into())
}

/// The key and what stands there.
fn read(entry: &JsValue) -> Option<(Array, Json)> {
    let entry: &Array = entry.dyn_ref()?;
    Some((entry.get(0).dyn_into().ok()?, json::parse(&entry.get(1).as_string()?)?))
}

async fn open() -> Result<JsValue, JsValue> {
    let request = call(&json::get(&clock::scope(), "indexedDB"), "open", &[&DATABASE.into(), &1.into()])?;
    let opening = request.clone();
    let _upgrade = Listening::new(request.unchecked_ref(), "upgradeneeded", move || {
        // Where it fails so does the request.
        let _ = call(&json::get(&opening, "result"), "createObjectStore", &[&STORE.into()]);
    });
    ended(&request, "onsuccess", "onerror").await?;
    let database = json::get(&request, "result");
    // Somebody wants to delete the database: it is closed, and opened again when it is needed.
    set(database.unchecked_ref(), "onversionchange", &json::get(&database, "close"));
    Ok(database)
}

fn begin(database: &JsValue, mode: &str) -> Result<JsValue, JsValue> {
    let options = Object::new();
    // Otherwise a power failure takes what was written minutes ago.
    set(&options, "durability", &"strict".into());
    call(database, "transaction", &[&STORE.into(), &mode.into(), &options])
}

/// Waits for one of two events.
async fn ended(target: &JsValue, good: &str, bad: &str) -> Result<JsValue, JsValue> {
    let promise = Promise::new(&mut |resolve, reject| {
        set(target.unchecked_ref(), good, &resolve);
        set(target.unchecked_ref(), bad, &reject);
    });
    JsFuture::from(promise).await
}
