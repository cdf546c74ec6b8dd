# `just` alone lists the recipes.
_default:
    @just --list --unsorted

# Run the main job without a server, or on those of MRC_MYSQL_URL and MRC_REDIS_URL
demo *ARGS:
    cargo run -p mrc-cli -- demo {{ ARGS }}

# Install the servers and both peers for the tests
setup:
    scripts/setup

# Run setup, then every test
test *ARGS:
    scripts/test {{ ARGS }}

# Test against both published peers, in both directions
interop: setup
    cargo test -p mrc-tests --test live interop

# Check format, clippy, single features, docs, dependencies, oldest Rust
lint:
    scripts/lint

# Check the oldest Rust alone
msrv:
    scripts/msrv

# Open the docs of all crates in a browser
doc:
    cargo doc --workspace --all-features --no-deps --open

# Measure mrc beside both peers and bare drivers
bench *ARGS: setup
    cargo run --release -p mrc-bench -- {{ ARGS }}

# Model-check the fill protocol; `--small` takes seconds, `--part NAME` prints a counterexample
model *ARGS:
    cargo run --release -p mrc-model -- {{ ARGS }}

# Search for changed answers that dependencies miss: `--pairs 1000000 --server mariadb --lack fold`; `--follow`: end to end
oracle *ARGS: setup
    cargo run --release -p mrc-oracle -- {{ ARGS }}

# Check that processes see nothing stale while some fail; `--all` runs the counterproofs too
history *ARGS: setup
    cargo run --release -p mrc-history -- {{ ARGS }}

# Let the follower alone invalidate for ten minutes under faults, then check every row; draws target/soak.svg
soak *ARGS: setup
    cargo run --release -p mrc-history -- --follow --soak 600 --plot target/soak.svg {{ ARGS }}

# Kill and wedge Redis and MySQL under load: no hang, no wrong answer; `--quick` takes 30 s
chaos *ARGS: setup
    cargo run --release -p mrc-chaos -- {{ ARGS }}

# Run one race against mrc, other caches of Rust, and both peers
race *ARGS: setup
    cargo run --release --manifest-path proof/race/Cargo.toml -- {{ ARGS }}

# Fuzz keys, statement, json, rows, events or arguments
fuzz TARGET SECONDS="120":
    scripts/fuzz {{ TARGET }} {{ SECONDS }}

# Start a database and a cache, as in the README's example: `just up mariadb valkey9`
up DATABASE="mysql" CACHE="redis8":
    docker compose -f redis-compose.yml --profile {{ DATABASE }} --profile {{ CACHE }} up -d --wait

# Stop them and delete their data
down:
    docker compose -f redis-compose.yml --profile "*" down -v
