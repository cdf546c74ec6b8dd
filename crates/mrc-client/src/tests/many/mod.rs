//! Many entries of one query: what is asked for, what is stored, and what others get.

mod answers;
mod disturbed;
mod functions;
mod loader;
mod rules;
mod statements;
mod table;
