-- KEYS entries, items, dead   ARGV group
-- {on the list, in hand, dead letters, consumers}
if redis.call('EXISTS', KEYS[1]) == 0 then
    return {0, 0, redis.call('XLEN', KEYS[3]), 0}
end
local in_hand = redis.call('XPENDING', KEYS[1], ARGV[1])[1]
return {redis.call('XLEN', KEYS[1]), in_hand, redis.call('XLEN', KEYS[3]), #redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])}
