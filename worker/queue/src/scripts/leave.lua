-- KEYS entries   ARGV group, consumer, nobody, idle from which an item may be taken over (ms), idle from which a consumer
-- that has nothing in hand is forgotten (ms)
-- A consumer goes; what it has in hand is given back, uncounted. Those that died with nothing in hand are forgotten too.
if redis.call('EXISTS', KEYS[1]) == 0 then
    return 0
end
while true do
    local held = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', '100', ARGV[2])
    if #held == 0 then
        break
    end
    for _, one in ipairs(held) do
        local deliveries = math.max(one[4] - 1, 0)
        redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[3], '0', one[1], 'IDLE', ARGV[4], 'RETRYCOUNT', deliveries, 'JUSTID')
    end
end
local gone = 0
for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local about = {}
    for at = 1, #fields, 2 do
        about[fields[at]] = fields[at + 1]
    end
    if about['pending'] == 0 and (about['name'] == ARGV[2] or about['idle'] > tonumber(ARGV[5])) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], about['name'])
        gone = gone + 1
    end
end
return gone
