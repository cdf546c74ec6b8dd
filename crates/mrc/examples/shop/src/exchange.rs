//! A cached call of another service.

use std::time::Duration;

use mrc::params;
use rust_decimal::Decimal;

use crate::shop::Shop;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Shop {
    /// Returns the rate of a currency, at most an hour old. While the service fails, a stale copy
    /// is served for one more day.
    ///
    /// # Errors
    /// The error of the service, if there is no stale copy.
    pub async fn rate(&self, currency: &str) -> anyhow::Result<Decimal> {
        let client = self.client.with_stale_on_error(DAY);
        client.with_cache(|| self.rates.of_euro(currency), "rate_v1", params! { "Currency" => currency }, HOUR).await
    }
}
