//! What a follower survives: the end of its process, of the cache, of the database, of the log.
