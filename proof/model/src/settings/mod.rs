//! The lists of settings.

mod followed;
mod large;
mod nested;
mod small;
mod tagged;
