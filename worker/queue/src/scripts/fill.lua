-- KEYS entries, items, dead   ARGV group, time to live (s), run, item…
-- Puts on the list what is not there. Gives how many were put.
local added = 0
redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
for at = 4, #ARGV do
    if redis.call('HSET', KEYS[2], ARGV[at], ARGV[3]) == 1 then
        redis.call('XADD', KEYS[1], '*', 'item', ARGV[at])
        added = added + 1
    end
end
for _, key in ipairs(KEYS) do
    redis.call('EXPIRE', key, ARGV[2])
end
return added
