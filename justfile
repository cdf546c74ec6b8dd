# What there is to run; `just` alone lists it.
_default:
    @just --list --unsorted

# The main job with no server at all; with MRC_MYSQL_URL and MRC_REDIS_URL set, on real ones
demo *ARGS:
    cargo run -p mrc-cli -- demo {{ ARGS }}

# Install what the tests need: servers and both peers
setup:
    scripts/setup

# Every test, after setup
test *ARGS:
    scripts/test {{ ARGS }}

# Both published peers, in both directions
interop: setup
    cargo test -p mrc-tests --test live interop

# Format, clippy, features apart, docs, dependencies, oldest Rust
lint:
    scripts/lint

# The oldest Rust alone
msrv:
    scripts/msrv

# The docs of all crates, in a browser
doc:
    cargo doc --workspace --all-features --no-deps --open

# Side by side with both peers and bare drivers
bench *ARGS: setup
    cargo run --release -p mrc-bench -- {{ ARGS }}

# The fill protocol, model-checked; `--small` takes seconds, `--part NAME` prints a counterexample
model *ARGS:
    cargo run --release -p mrc-model -- {{ ARGS }}

# Processes that read, write, invalidate and fail: nothing stale may be seen; `--all` runs the counterproofs too
history *ARGS: setup
    cargo run --release -p mrc-history -- {{ ARGS }}

# Redis and MySQL killed and wedged under load: nothing may hang, and no answer may be wrong; `--quick` takes half a minute
chaos *ARGS: setup
    cargo run --release -p mrc-chaos -- {{ ARGS }}

# One race, against mrc, other caches of Rust, and both peers
race *ARGS: setup
    cargo run --release --manifest-path proof/race/Cargo.toml -- {{ ARGS }}

# Search for input that breaks keys, statement, json, rows or arguments; needs cargo-fuzz and a nightly Rust
fuzz TARGET SECONDS="120":
    mkdir -p fuzz/target/corpus/{{ TARGET }}
    cargo +nightly fuzz run {{ TARGET }} fuzz/target/corpus/{{ TARGET }} fuzz/corpus/{{ TARGET }} --fuzz-dir fuzz --features libfuzzer -- -max_total_time={{ SECONDS }}

# A database and a cache for local work, as in the README's example: `just up mariadb valkey9`
up DATABASE="mysql" CACHE="redis8":
    docker compose -f redis-compose.yml --profile {{ DATABASE }} --profile {{ CACHE }} up -d --wait

# Stop them and forget their data
down:
    docker compose -f redis-compose.yml --profile "*" down -v
