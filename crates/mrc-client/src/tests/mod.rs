//! The client on a database and a store that the tests control.

mod followed;
mod found;
mod hangs;
mod invalidation;
mod limits;
mod many;
mod nested;
mod outage;
mod path;
mod refresh;
mod stale;
mod support;
mod values;
mod writing;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::join_all;
use mrc_core::depends::SchemeName;
use mrc_core::{
    Bypass, Cell, Column, ColumnKind, Event, KeyError, Params, RowEncoder, RowError, Stats, Tag, TtlError, Value,
    params,
};
use mrc_store::{
    CacheStore, Checkpoints, Claim, ExecuteError, Executed, ExecutorTransaction, Found, KeyPages, Life, MemoryStore,
    Moment, QueryExecutor, Reached, Registry, ScanPattern, Schemes, Select, SqliteExecutor, StoreError, Tags, Terms,
    ToClaim, ToFill, Token,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::{Instant, advance};

use self::support::*;
use crate::macros_support::Map;
use crate::scope::{self, Mode};
use crate::{
    Answer, BoxError, Cache, CacheBuilder, Codec, Error, Loader, Many, MrcClient, MrcClientBuilder, Query, Source,
    Spec, Transaction,
};
