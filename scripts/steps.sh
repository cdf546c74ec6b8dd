# For the other scripts: `step NAME COMMAND…` runs a command, and prints its name and duration.

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
