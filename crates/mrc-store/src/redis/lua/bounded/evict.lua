local function use(field, place)
  local new = policy.used(place)
  if new then redis.call('ZADD', index, text(new), field) end
end

-- Makes room for so many entries more, as far as one step may. What has ended goes before what has not.
-- Returns how many went that had not, and the highest place among them.
local function make_room(max, more)
  if size() + more <= max then return 0, nil end
  reap(AT_ONCE)
  local surplus = math.min(size() + more - max, AT_ONCE)
  if surplus <= 0 then return 0, nil end
  local popped, victims, gone = redis.call(policy.victim, index, surplus), {}, nil
  if policy.victim == 'SPOP' then
    victims = popped
  else
    for i = 1, #popped, 2 do
      victims[#victims + 1] = popped[i]
      gone = math.max(gone or 0, tonumber(popped[i + 1]))
    end
  end
  forget(victims)
  return #victims, gone
end

-- {1, how many were evicted, how many are still too many}
local function store(field, value, ttl, its_tags, max, kind, life)
  local place, evicted, gone = place_of(field), 0, nil
  if place then
    use(field, place)
  else
    evicted, gone = make_room(max, 1)
    if policy.victim == 'SPOP' then
      is_set = true
      redis.call('SADD', index, field)
    else
      redis.call('ZADD', index, text(policy.arrival(gone)), field)
    end
    redis.call('ZREM', claims, field)
  end
  redis.call('HSET', values, field, value)
  redis.call('ZADD', ends, text(now + ttl), field)
  -- Servers that can end a field by itself tell Python by it; others know no such command.
  if theirs then redis.pcall('HPEXPIRE', values, text(ttl), 'FIELDS', 1, field) end
  if its_tags == '' then redis.call('HDEL', tags, field) else redis.call('HSET', tags, field, its_tags) end
  expire(kind, life, ttl)
  return {1, evicted, math.max(0, size() - max)}
end
