local function use(field, place)
  local new = policy.used(place)
  if new then redis.call('ZADD', index, text(new), field) end
end

-- Makes room for one more entry, within the limit of one step. Removes expired entries first.
-- Returns the number of evicted entries, their highest place, and whether there is room now.
local function make_room(max)
  if size() < max then return 0, nil, true end
  local reaped = reap(AT_ONCE)
  local surplus = size() + 1 - max
  local many = math.min(surplus, AT_ONCE - reaped)
  if many <= 0 then return 0, nil, surplus <= 0 end
  local victims, gone = redis.call(victim, index, many), nil
  if not is_set then
    local popped = victims
    victims = {}
    for i = 1, #popped, 2 do
      victims[#victims + 1] = popped[i]
      gone = math.max(gone or 0, tonumber(popped[i + 1]))
    end
  end
  forget_values(victims)
  return #victims, gone, many == surplus
end

-- {1, evicted}: stored | {2, evicted}: not stored yet, since one step may not evict enough
local function store(field, place, value, ttl, its_tags, max, kind, life)
  local evicted = 0
  if place then
    use(field, place)
  else
    local gone, is_room
    evicted, gone, is_room = make_room(max)
    if not is_room then return {2, evicted} end
    if is_set then
      redis.call('SADD', index, field)
    else
      redis.call('ZADD', index, text(policy.arrival(gone)), field)
    end
    redis.call('ZREM', claims, field)
  end
  if theirs then
    -- A value without the mark is Python's.
    if value:byte(-1) ~= 10 then value = value .. '\n' end
    if its_tags == '' then its_tags = '{}' end
  end
  redis.call('HSET', values, field, value)
  redis.call('ZADD', ends, text(now + ttl), field)
  -- Tells Python the TTL, if the server can expire fields. Other servers refuse the command.
  if theirs then redis.pcall('HPEXPIRE', values, text(ttl), 'FIELDS', 1, field) end
  if its_tags ~= '' then
    redis.call('HSET', tags, field, its_tags)
  elseif place then
    redis.call('HDEL', tags, field)
  end
  expire(kind, life, ttl)
  return {1, evicted}
end
