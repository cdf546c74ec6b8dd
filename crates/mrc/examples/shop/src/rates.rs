//! Another service, with exchange rates.

use std::fmt::Debug;

use anyhow::Context;
use async_trait::async_trait;
use rust_decimal::Decimal;

/// A service with exchange rates. The trait lets tests replace the service.
#[async_trait]
pub trait Rates: Debug + Send + Sync {
    /// Returns the price of one euro in a currency.
    async fn of_euro(&self, currency: &str) -> anyhow::Result<Decimal>;
}

/// Fixed rates, in place of your HTTP client.
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
