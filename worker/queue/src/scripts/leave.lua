-- KEYS entries   ARGV group, consumer, milliseconds after which a consumer that has nothing in hand is forgotten
-- A consumer goes. Those that died with nothing in hand are forgotten too.
if redis.call('EXISTS', KEYS[1]) == 0 then
    return 0
end
local gone = 0
for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local about = {}
    for at = 1, #fields, 2 do
        about[fields[at]] = fields[at + 1]
    end
    if about['pending'] == 0 and (about['name'] == ARGV[2] or about['idle'] > tonumber(ARGV[3])) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], about['name'])
        gone = gone + 1
    end
end
return gone
