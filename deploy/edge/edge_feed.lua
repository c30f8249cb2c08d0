-- Listens, in one of nginx's workers, to which tags move, and asks ten times a second for the lease (core.cache.keeper).
--
-- Both come on one connection. So when the lease comes, everything that moved before it was granted has been heard; and
-- the edge trusts what it knows until that lease ends, counted from before the question, on a clock that nobody sets.

local metrics = require "edge_metrics"
local redis = require "edge_redis"
local state = require "edge_state"

local PREFIX = "campushub360:generations"
local SECONDS, PAUSE = 0.1, 0.2
-- No lease is meant to last longer (core.cache.keeper): one that seems to was granted before the cache's clock was set.
local LONGEST = 1
local LEASE = "return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}"

local _M = {}
local place = redis.parse(os.getenv("EDGE_REDIS_URL"))
local prefix = os.getenv("EDGE_GENERATIONS_PREFIX") or PREFIX

local function ask_for_lease(connection, asked)
    while connection.is_open do
        asked[#asked + 1] = state.now()
        if not pcall(connection.send, connection, "EVAL", LEASE, 1, prefix .. ":lease") then
            return
        end
        ngx.sleep(SECONDS)
    end
end

local function hear(connection)
    local asked, epoch = {}, nil
    connection:send("SUBSCRIBE", prefix .. ":raised")
    connection:read()
    local asking = ngx.thread.spawn(ask_for_lease, connection, asked)
    local ok, err = pcall(function()
        while not ngx.worker.exiting() do
            local told, is_published = connection:read()
            if is_published then
                if told[1] == "message" then
                    state.raise(told[3])
                end
            else
                local since, lease, left = table.remove(asked, 1), told[1], told[2]
                if lease and left > 0 then
                    metrics.heard(state.now() - since)
                    if lease ~= epoch then
                        metrics.began()
                        state.begin()
                        epoch = lease
                    end
                    state.trust(since + math.min(left / 1000, LONGEST))
                end
            end
        end
    end)
    connection.is_open = false
    ngx.thread.kill(asking)
    if not ok then
        error(err, 0)
    end
end

local function listen()
    local connection = redis.connect(place)
    connection.is_open = true
    local ok, err = pcall(hear, connection)
    connection:close()
    if not ok then
        error(err, 0)
    end
end

local function run(is_over)
    while not is_over and not ngx.worker.exiting() do
        local ok, err = pcall(listen)
        state.distrust()
        if not ok then
            ngx.log(ngx.WARN, "edge: keeps nothing until the generations are heard again: ", err)
            ngx.sleep(PAUSE)
        end
    end
end

function _M.start()
    metrics.start()
    if ngx.worker.id() ~= 0 then
        return
    end
    state.distrust()
    if not place then
        return ngx.log(ngx.WARN, "edge: EDGE_REDIS_URL names no Redis; nothing is kept")
    end
    assert(ngx.timer.at(0, run))
end

return _M
