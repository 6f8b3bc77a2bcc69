-- KEYS entries, items   ARGV group, consumer, milliseconds until an item that is not renewed may be taken over
-- Gives {entry, item, run, deliveries}, or {last entry} where there is nothing to take.
if redis.call('EXISTS', KEYS[1]) == 0 then
    return {'0-0'}
end
local function handed(id, fields, deliveries)
    local item = fields[2]
    local run = redis.call('HGET', KEYS[2], item)
    if not run then
        -- Done meanwhile by whoever lost it.
        redis.call('XACK', KEYS[1], ARGV[1], id)
        redis.call('XDEL', KEYS[1], id)
        return nil
    end
    return {id, item, run, deliveries}
end
while true do
    local silent = redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[3], '-', '+', '1')[1]
    if not silent then
        break
    end
    -- An entry that is gone goes from the group, too, by being claimed.
    local claimed = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], silent[1])[1]
    if claimed then
        local found = handed(claimed[1], claimed[2], silent[4] + 1)
        if found then
            return found
        end
    end
end
while true do
    local read = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', '1', 'STREAMS', KEYS[1], '>')
    if not read then
        break
    end
    local entry = read[1][2][1]
    local found = handed(entry[1], entry[2], 1)
    if found then
        return found
    end
end
local about = redis.call('XINFO', 'STREAM', KEYS[1])
for at = 1, #about, 2 do
    if about[at] == 'last-generated-id' then
        return {about[at + 1]}
    end
end
return {'0-0'}
