//! Another service: it knows exchange rates.

use std::fmt::Debug;

use anyhow::Context;
use async_trait::async_trait;
use rust_decimal::Decimal;

/// A service that knows exchange rates. A trait, so that tests need no such service.
#[async_trait]
pub trait Rates: Debug + Send + Sync {
    /// Returns how much of a currency one euro is.
    async fn of_euro(&self, currency: &str) -> anyhow::Result<Decimal>;
}

/// Rates that never change. Your HTTP client goes here.
#[derive(Debug)]
pub struct FixedRates;

#[async_trait]
impl Rates for FixedRates {
    async fn of_euro(&self, currency: &str) -> anyhow::Result<Decimal> {
        let rates = [("CHF", 94, 2), ("USD", 108, 2)];
        let (_, digits, scale) = rates.iter().find(|(name, ..)| *name == currency).context("no such currency")?;
        Ok(Decimal::new(*digits, *scale))
    }
}
