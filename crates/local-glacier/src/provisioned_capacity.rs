//! Operations on provisioned capacity.
//!
//! **Source:** API reference, "Purchase/List Provisioned Capacity".

use serde::Serialize;

use crate::answer::Answer;
use crate::clock::iso;
use crate::error::{self, Refusal};
use crate::glacier::Glacier;
use crate::store::{CapacityUnit, MAX_UNITS, Store, StoreError};

const CAPACITY_ID: &str = "x-amz-capacity-id";

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct UnitDocument {
    capacity_id: String,
    expiration_date: String,
    start_date: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct UnitList {
    provisioned_capacity_list: Vec<UnitDocument>,
}

impl Glacier {
    pub(crate) async fn list_provisioned_capacity(&self) -> Result<Answer, Refusal> {
        let units = self.blocking(Store::list_capacity).await.map_err(|error| self.account_refusal(&error))?;
        let document = |unit: CapacityUnit| UnitDocument {
            capacity_id: unit.id,
            expiration_date: iso(unit.expires_ms),
            start_date: iso(unit.started_ms),
        };
        Ok(Answer::json(&UnitList { provisioned_capacity_list: units.into_iter().map(document).collect() }))
    }

    pub(crate) async fn purchase_provisioned_capacity(&self) -> Result<Answer, Refusal> {
        let id = self.blocking(Store::purchase_capacity).await.map_err(|error| match error {
            StoreError::TooMuchCapacity => error::too_much_capacity(MAX_UNITS),
            other => self.account_refusal(&other),
        })?;
        Ok(Answer::created().with_name(CAPACITY_ID, id))
    }
}
