//! Operations on a vault's notification configuration.
//!
//! **Source:** API reference, "Set/Get/Delete Vault Notification Configuration".

use glacier_core::glacier::VaultName;
use serde::Serialize;

use crate::answer::Answer;
use crate::error::{self, Refusal};
use crate::glacier::Glacier;
use crate::json_body::{self, Fields};
use crate::store::{Event, Notifications, StoreError};
use crate::topic::TopicArn;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NotificationDocument {
    #[serde(rename = "SNSTopic")]
    sns_topic: String,
    events: Vec<&'static str>,
}

impl Glacier {
    pub(crate) async fn set_vault_notifications(&self, vault: VaultName, body: &[u8]) -> Result<Answer, Refusal> {
        let body = json_body::parse(body)?;
        let fields = Fields::of(&body)?;
        let topic = fields.required_text("SNSTopic")?;
        let topic = TopicArn::new(topic).map_err(|_| error::invalid_topic(topic))?;
        let mut events = Vec::new();
        for name in fields.required_texts("Events")? {
            let event = Event::from_name(name).ok_or_else(|| error::invalid_event(name))?;
            if !events.contains(&event) {
                events.push(event);
            }
        }
        if events.is_empty() {
            return Err(error::missing("Events"));
        }
        let (name, new) = (vault.clone(), Notifications { topic, events });
        let set = self.blocking(move |store| store.set_notifications(&name, new)).await;
        set.map_err(|error| self.refusal(error, &vault, None))?;
        Ok(Answer::no_content())
    }

    pub(crate) async fn get_vault_notifications(&self, vault: VaultName) -> Result<Answer, Refusal> {
        let name = vault.clone();
        let found = self.blocking(move |store| store.notifications(&name)).await;
        let found = found.map_err(|error| match error {
            StoreError::NotSet => error::not_set("notification configuration", &self.vault_arn(vault.as_str())),
            other => self.refusal(other, &vault, None),
        })?;
        Ok(Answer::json(&NotificationDocument {
            sns_topic: found.topic.to_string(),
            events: found.events.into_iter().map(Event::name).collect(),
        }))
    }

    pub(crate) async fn delete_vault_notifications(&self, vault: VaultName) -> Result<Answer, Refusal> {
        let name = vault.clone();
        let deleted = self.blocking(move |store| store.delete_notifications(&name)).await;
        deleted.map_err(|error| self.refusal(error, &vault, None))?;
        Ok(Answer::no_content())
    }
}
