-- KEYS entries, items   ARGV group, entry, item
-- The item is done, whoever has it in hand by now.
redis.call('HDEL', KEYS[2], ARGV[3])
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return redis.call('XDEL', KEYS[1], ARGV[2])
