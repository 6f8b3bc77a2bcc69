-- KEYS entries   ARGV group, consumer, entry, whose it is from now on, idle (ms), deliveries or `as it is`
-- Whether the entry was still in this consumer's hand; if so, its time begins anew from `idle`.
if redis.call('EXISTS', KEYS[1]) == 0 then
    return 0
end
local found = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], '1', ARGV[2])[1]
if not found then
    return 0
end
local deliveries = ARGV[6] == 'as it is' and found[4] or ARGV[6]
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[4], '0', ARGV[3], 'IDLE', ARGV[5], 'RETRYCOUNT', deliveries, 'JUSTID')
return 1
