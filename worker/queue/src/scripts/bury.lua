-- KEYS entries, items, dead   ARGV group, consumer, entry, item, at most (letters), time to live (s), run, reason, deliveries, message
-- Gives the item up, if it is still in this consumer's hand.
if redis.call('EXISTS', KEYS[1]) == 0 then
    return 0
end
if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], '1', ARGV[2]) == 0 then
    return 0
end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[5], '*', 'item', ARGV[4], 'run', ARGV[7], 'reason', ARGV[8],
    'deliveries', ARGV[9], 'message', ARGV[10])
redis.call('EXPIRE', KEYS[3], ARGV[6])
redis.call('HDEL', KEYS[2], ARGV[4])
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
redis.call('XDEL', KEYS[1], ARGV[3])
return 1
