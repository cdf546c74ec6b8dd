# For the other scripts.

# Runs a command, and prints its name and duration: `step NAME COMMAND…`.
step() {
  local name=$1 start=$SECONDS
  shift
  printf '==> %s\n' "$name"
  if "$@"; then
    printf '==> %s: ok, %d s\n' "$name" $((SECONDS - start))
  else
    local code=$?
    printf '==> %s: FAILED, %d s\n' "$name" $((SECONDS - start)) >&2
    return "$code"
  fi
}

# Installs a tool of cargo if it is missing, because no toolchain contains it.
need() { command -v "$1" >/dev/null 2>&1 || cargo install --quiet --locked --debug "$@"; }
