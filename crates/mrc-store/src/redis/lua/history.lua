-- Returns the name of the server's history: another one after each start and each promotion, which
-- may lack writes of the one before.
local function history() return string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') end
