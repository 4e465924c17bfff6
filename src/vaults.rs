//! What comes of calls, as JavaScript has it.

use std::pin::Pin;
use std::rc::Rc;

use glacier_core::Intent;
use glacier_core::call::Answer;
use glacier_core::error::UploadError;
use glacier_core::glacier::VaultName;
use glacier_core::glacier::describe_vault::VaultDescription;
use glacier_core::glacier::get_vault_lock::VaultLock;
use glacier_core::glacier::get_vault_notifications::VaultNotifications;
use glacier_core::glacier::list_provisioned_capacity::ProvisionedCapacity;
use js_sys::{Array, Date, Object, Promise};
use wasm_bindgen::prelude::JsValue;
use web_sys::AbortSignal;

use crate::call::{Failure, call};
use crate::file;
use crate::json::set;
use crate::session::Session;
use crate::task;

/// A vault of a session.
#[derive(Clone)]
pub(crate) struct Vault {
    pub(crate) session: Rc<Session>,
    pub(crate) name: VaultName,
}

/// The intents, and the page's signal.
pub(crate) type Asked = Result<(Vec<Intent>, Option<AbortSignal>), UploadError>;

/// Makes the calls in order; the promise is of the last one's answer.
pub(crate) fn ask(session: &Rc<Session>, asked: Asked) -> Promise {
    ask_for(session, asked, Box::new(value))
}

/// As [`ask`], with another reading of the answer.
pub(crate) fn ask_for(session: &Rc<Session>, asked: Asked, read: Box<dyn FnOnce(Answer) -> JsValue>) -> Promise {
    let session = Rc::clone(session);
    promise(Box::pin(async move {
        let (intents, signal) = asked?;
        let mut last = Answer::Done;
        for intent in intents {
            last = call(Rc::clone(&session), intent, signal.clone()).await?;
        }
        Ok(read(last))
    }))
}

/// The promise of what a future gives. Boxed by who calls: see [`task`].
pub(crate) fn promise(future: Pin<Box<dyn Future<Output = Result<JsValue, Failure>>>>) -> Promise {
    task::promise(async move { future.await.map_err(|failure| failure.to_js()) })
}

/// An answer that is plain data. Jobs and uploads have classes of their own.
pub(crate) fn value(answer: Answer) -> JsValue {
    match answer {
        Answer::Vault(vault) => vault_description(&vault),
        Answer::Tags(tags) => {
            let object = Object::new();
            for (key, value) in tags {
                set(&object, &key, &value.into());
            }
            object.into()
        }
        Answer::Notifications(notifications) => notifications.map_or(JsValue::NULL, |set| vault_notifications(&set)),
        Answer::AccessPolicy(policy) => policy.map_or(JsValue::NULL, JsValue::from),
        Answer::Lock(lock) => lock.map_or(JsValue::NULL, |lock| vault_lock(&lock)),
        Answer::Id(id) => id.into(),
        Answer::RetrievalRule(rule) => {
            let policy = object(&[("strategy", rule.strategy().into())]);
            if let Some(bytes) = rule.bytes_per_hour() {
                set(&policy, "bytesPerHour", &file::number(bytes.get()).into());
            }
            policy.into()
        }
        Answer::Capacity(units) => units.iter().map(capacity).collect::<Array>().into(),
        Answer::Done
        | Answer::Vaults(_)
        | Answer::Uploads(_)
        | Answer::Parts(_)
        | Answer::JobStarted(_)
        | Answer::Object(_)
        | Answer::Restoring(_)
        | Answer::ObjectUploads(_)
        | Answer::Job(_)
        | Answer::Jobs(_) => JsValue::UNDEFINED,
    }
}

pub(crate) fn vault_description(vault: &VaultDescription) -> JsValue {
    object(&[
        ("name", vault.name.as_str().into()),
        ("arn", vault.arn.as_str().into()),
        ("createdAt", date(&vault.creation_date)),
        ("lastInventoryAt", vault.last_inventory_date.as_deref().map_or(JsValue::NULL, date)),
        ("archives", file::count(vault.n_archives.unwrap_or(0))),
        ("size", file::count(vault.size.unwrap_or(0))),
    ])
    .into()
}

fn vault_notifications(notifications: &VaultNotifications) -> JsValue {
    let events: Array = notifications.events.iter().map(|event| JsValue::from(event.as_str())).collect();
    object(&[("snsTopic", notifications.sns_topic.as_str().into()), ("events", events.into())]).into()
}

fn vault_lock(lock: &VaultLock) -> JsValue {
    object(&[
        ("policy", lock.policy.as_str().into()),
        ("state", lock.state.as_str().into()),
        ("createdAt", moment(lock.created_at_ms)),
        ("expiresAt", lock.expires_at_ms.map_or(JsValue::NULL, moment)),
    ])
    .into()
}

fn capacity(unit: &ProvisionedCapacity) -> JsValue {
    object(&[
        ("capacityId", unit.capacity_id.as_str().into()),
        ("startsAt", moment(unit.starts_at_ms)),
        ("expiresAt", moment(unit.expires_at_ms)),
    ])
    .into()
}

/// An object of these members.
pub(crate) fn object(members: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (key, value) in members {
        set(&object, key, value);
    }
    object
}

/// `{ start, end }`.
pub(crate) fn byte_range(range: glacier_core::ByteRange) -> JsValue {
    object(&[("start", file::number(range.start()).into()), ("end", file::number(range.end()).into())]).into()
}

/// A `Date` of what the store wrote.
pub(crate) fn date(text: &str) -> JsValue {
    Date::new(&text.into()).into()
}

/// A `Date` of milliseconds since 1970.
pub(crate) fn moment(ms: u64) -> JsValue {
    Date::new(&file::number(ms).into()).into()
}
