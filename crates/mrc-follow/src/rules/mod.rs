//! Rules: which tags and params a changed row ends.
