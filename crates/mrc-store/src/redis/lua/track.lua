-- Registers a key under tags: KEYS[keys + 1] is the index of the first tag, then its bucket, and so
-- on; ARGV[args + 1] is the moment of the first tag in µs. `ttl` is that of the entry in ms, `g` how
-- many µs to remember an invalidation.
-- Returns false if a tag was invalidated since its moment, or that is too old.
local function track(key, ttl, g, keys, args, count)
  local t = redis.call('TIME')
  local now = t[1] * 1e6 + t[2]
  ttl, g = tonumber(ttl), tonumber(g)
  local answer = true
  local px = math.ceil(ttl + g / 1000)
  for i = 1, count do
    local index, bucket, since = KEYS[keys + 2 * i - 1], KEYS[keys + 2 * i], tonumber(ARGV[args + i])
    -- Each registration gets a new score, by which prune detects a renewal.
    -- From 2^53 on, a score has no successor, and none is ours.
    local known, foreign = look('ZSCORE', index, key)
    local s, o = now + ttl * 1000, tonumber(known or '0')
    if s <= o and o < 9007199254740992 then s = o + 1 end
    redis.call('ZADD', index, string.format('%.0f', s), key)
    -- The clock is at most a day ahead. If another program overwrote the index or wrote a later
    -- moment, the last invalidation is lost: treat it as having happened now.
    local invalidated, ahead = tonumber(redis.call('ZSCORE', index, '') or '0'), now + 86400e6
    -- An invalidation that found no index is in the bucket. Another tag's refuses the fill too.
    local marked, overwritten = look('GET', bucket)
    local shared = tonumber(marked or '0')
    local lost = foreign or overwritten or not shared or invalidated > ahead or shared > ahead
    if lost then redis.call('ZADD', index, string.format('%.0f', math.max(now, math.min(since, ahead))), '') end
    local old = redis.call('ZRANGEBYSCORE', index, '-inf', string.format('%.0f', now - g), 'LIMIT', 0, 16)
    if #old > 0 then redis.call('ZREM', index, unpack(old)) end
    if redis.call('PTTL', index) < px then redis.call('PEXPIRE', index, string.format('%.0f', px)) end
    local in_time = not lost and since <= ahead and invalidated <= since and shared <= since and now - since <= g / 2
    if not in_time then answer = false end
  end
  return answer
end
