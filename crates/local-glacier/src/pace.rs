//! How long things take: a developer's pace, or the service's.

use std::time::Duration;

use crate::store::Tier;

/// Delays of jobs, and the age of inventories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pace {
    /// From InitiateJob to the end of an Expedited retrieval.
    pub expedited: Duration,
    /// The same at the Standard tier.
    pub standard: Duration,
    /// The same at the Bulk tier.
    pub bulk: Duration,
    /// From InitiateJob to the taking of an inventory's output.
    pub inventory: Duration,
    /// `None`: an inventory is of the moment at which its job ends, and a vault is described as it is. Otherwise
    /// inventories are taken this often of vaults that changed, jobs give the last one, and DescribeVault and
    /// DeleteVault know no more than it does.
    pub inventory_age: Option<Duration>,
    /// Expedited retrievals that may begin within five minutes without provisioned capacity. `None`: any number.
    pub expedited_per_5_min: Option<u32>,
}

impl Pace {
    /// All jobs take `delay`, and inventories are taken on demand.
    pub const fn developer(delay: Duration) -> Self {
        Self {
            expedited: delay,
            standard: delay,
            bulk: delay,
            inventory: delay,
            inventory_age: None,
            expedited_per_5_min: None,
        }
    }

    /// The middle of what the service's developer guide promises, and an inventory a day.
    pub const fn realistic() -> Self {
        Self {
            expedited: Duration::from_mins(3),      // 1 to 5 minutes
            standard: Duration::from_hours(4),      // 3 to 5 hours
            bulk: Duration::from_mins(8 * 60 + 30), // 5 to 12 hours
            inventory: Duration::from_hours(4),
            inventory_age: Some(Duration::from_hours(24)),
            expedited_per_5_min: None,
        }
    }

    pub(crate) const fn retrieval(&self, tier: Tier) -> Duration {
        match tier {
            Tier::Expedited => self.expedited,
            Tier::Standard => self.standard,
            Tier::Bulk => self.bulk,
        }
    }
}

impl Default for Pace {
    /// Jobs take a second.
    fn default() -> Self {
        Self::developer(Duration::from_secs(1))
    }
}
