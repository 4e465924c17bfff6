//! The vaults of an account as JavaScript sees them.

use std::rc::Rc;

use glacier_core::Intent;
use glacier_core::call::{Answer, List};
use glacier_core::glacier::VaultName;
use glacier_core::settings;
use js_sys::Promise;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::pages::Pages;
use super::plain;
use super::vault::Vault;
use crate::options;
use crate::session::Session;
use crate::vaults::{self, ask, ask_for, vault_description};

/// The vaults of one account behind one gateway.
#[wasm_bindgen(skip_typescript)]
#[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
pub struct Vaults {
    session: Rc<Session>,
}

impl Vaults {
    pub(super) const fn new(session: Rc<Session>) -> Self {
        Self { session }
    }

    fn one(&self, intent: Intent, options: &JsValue) -> Promise {
        ask(&self.session, options::call(options).map(|signal| (vec![intent], signal)))
    }
}

#[wasm_bindgen]
impl Vaults {
    /// Makes a vault.
    pub fn create(&self, name: &str, options: &JsValue) -> Promise {
        let name = VaultName::new(name).map_err(Into::into);
        let asked = name.and_then(|vault| Ok((vault, options::call(options)?)));
        let vault = asked.as_ref().ok().map(|(name, _)| (Rc::clone(&self.session), name.clone()));
        let asked = asked.map(|(vault, signal)| (vec![Intent::CreateVault { vault }], signal));
        let made = move |_: Answer| {
            vault.map_or(JsValue::UNDEFINED, |(session, name)| Vault::new(vaults::Vault { session, name }).into())
        };
        ask_for(&self.session, asked, Box::new(made))
    }

    /// A vault by its name.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    pub fn vault(&self, name: &str) -> Result<Vault, JsValue> {
        let name = VaultName::new(name).map_err(|error| plain(error.into()))?;
        Ok(Vault::new(vaults::Vault { session: Rc::clone(&self.session), name }))
    }

    /// All vaults.
    ///
    /// # Errors
    /// An `UploadError` of JavaScript.
    pub fn list(&self, options: &JsValue) -> Result<Pages, JsValue> {
        let signal = options::call(options).map_err(plain)?;
        Ok(Pages::new(&self.session, List::Vaults, signal, |page| match page {
            Answer::Vaults(page) => page.vaults.iter().map(vault_description).collect(),
            _ => Vec::new(),
        }))
    }

    /// How fast the account may retrieve.
    #[wasm_bindgen(js_name = retrievalPolicy)]
    pub fn retrieval_policy(&self, options: &JsValue) -> Promise {
        self.one(Intent::GetDataRetrievalPolicy {}, options)
    }

    /// Sets how fast the account may retrieve.
    #[wasm_bindgen(js_name = setRetrievalPolicy)]
    pub fn set_retrieval_policy(&self, policy: &JsValue, options: &JsValue) -> Promise {
        let rule = settings::retrieval_policy(&options::plain(policy));
        let asked = rule.and_then(|rule| Ok((vec![Intent::SetDataRetrievalPolicy(rule)], options::call(options)?)));
        ask(&self.session, asked)
    }

    /// Units of capacity for expedited retrievals.
    #[wasm_bindgen(js_name = provisionedCapacity)]
    pub fn provisioned_capacity(&self, options: &JsValue) -> Promise {
        self.one(Intent::ListProvisionedCapacity {}, options)
    }

    /// Buys a unit.
    #[wasm_bindgen(js_name = purchaseProvisionedCapacity)]
    pub fn purchase_provisioned_capacity(&self, options: &JsValue) -> Promise {
        self.one(Intent::PurchaseProvisionedCapacity {}, options)
    }

    /// Cancels what runs and stops the workers.
    pub fn close(&self) -> Promise {
        self.session.close();
        Promise::resolve(&JsValue::UNDEFINED)
    }
}
