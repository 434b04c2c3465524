-- Take back one that was counted. KEYS[1] the count. It ends when it would have ended.
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
return 1
