-- KEYS entries, items, dead   ARGV group, nobody
-- {on the list, in hand, dead letters, consumers}; what was given back is in nobody's hand.
local dead = redis.call('XLEN', KEYS[3])
if redis.call('EXISTS', KEYS[1]) == 0 then
    return {0, 0, dead, 0}
end
local in_hand, consumers = 0, 0
for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local about = {}
    for at = 1, #fields, 2 do
        about[fields[at]] = fields[at + 1]
    end
    if about['name'] ~= ARGV[2] then
        consumers = consumers + 1
        in_hand = in_hand + about['pending']
    end
end
return {redis.call('XLEN', KEYS[1]), in_hand, dead, consumers}
