-- Have the messages wait that events lead to, and then, by the script that follows here, move the reader on: together.
-- KEYS[1] what the keys of the outbox begin with, KEYS[2...4] and ARGV as that script has them as KEYS[1...3], and one
-- argument more at the end, the messages, see outbox_put.lua.
local messages = table.remove(ARGV)
table.remove(KEYS, 1)
if redis.call('GET', KEYS[3]) == ARGV[1] then put_all(cjson.decode(messages)) end
