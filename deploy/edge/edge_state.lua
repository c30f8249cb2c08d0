-- How often each tag has moved since this edge began to listen, and whether it hears of every move.
--
-- A life begins when the feed is heard anew, when the generations begin another epoch, and when somebody cannot say what
-- they have moved. Whatever was learnt or kept in another life is not used. Within a life a tag's counter goes up with
-- every commit that moves it, so that what was learnt at the same counters is as good as new.

local ffi = require "ffi"
local random = io.open("/dev/urandom", "rb")

local counters = ngx.shared.edge_counters
local commits = ngx.shared.edge_commits
local known = ngx.shared.edge_known

ffi.cdef [[
    typedef struct { long seconds; long nanoseconds; } edge_instant;
    int clock_gettime(int clock, edge_instant *instant);
]]
local MONOTONIC = 1
local instant = ffi.new("edge_instant[1]")

-- So many moves are remembered one by one, and a commit for so many seconds.
local REMEMBERED, SECONDS = 4096, 60

local _M = {}

-- Seconds on a clock that nobody sets.
function _M.now()
    ffi.C.clock_gettime(MONOTONIC, instant)
    return tonumber(instant[0].seconds) + tonumber(instant[0].nanoseconds) / 1e9
end

-- Begin a life: the counters first, so that nobody takes an old one for the life's.
function _M.begin()
    local trusted = counters:get("trusted")
    counters:flush_all()
    known:flush_all()
    counters:set("life", (random:read(16):gsub(".", function(c) return ("%02x"):format(c:byte()) end)))
    if trusted then
        counters:set("trusted", trusted)
    end
end

-- A dictionary that is full forgets something else to remember this, and a counter that is forgotten begins anew.
local function begin_if(forgot)
    if forgot then
        ngx.log(ngx.WARN, "edge: no room for another tag; begins anew")
        _M.begin()
    end
end

local function keep(name, value)
    local is_kept, _, forcible = counters:set(name, value)
    begin_if(not is_kept or forcible)
end

local function count(name)
    local value, _, forcible = counters:incr(name, 1, 0)
    begin_if(not value or forcible)
    return value
end

function _M.trust(till)
    keep("trusted", till)
end

-- For how many seconds more what is kept may be served.
function _M.trusted_left()
    return math.max(0, (counters:get("trusted") or 0) - _M.now())
end

function _M.distrust()
    counters:delete("trusted")
end

-- The present life; nil while it may have missed something. Ask again after `read`: what was read is of this life only if
-- it lasts still.
function _M.life()
    local till = counters:get("trusted")
    if till and till > _M.now() then
        return counters:get("life")
    end
end

-- Let whatever was decided before be decided anew.
function _M.tell()
    count("told")
end

-- Take note of a commit, told of as a line of its name and the tags it has moved; once, whoever tells first.
function _M.raise(line)
    local commit, tags = line:match("^%s*(%S+)%s*(.*)$")
    if commit == "*" then
        return _M.begin()
    end
    if not commit or (commit ~= "-" and commits:get(commit)) then
        return
    end
    for tag in tags:gmatch("%S+") do
        -- In this order: whoever has read the counter and then finds nothing here has read it before it went up.
        local number = count("moves")
        if number then
            keep("move " .. number % REMEMBERED, number .. " " .. tag)
        end
        count("tag " .. tag)
    end
    -- After all of them, and before anybody is told of the commit: see `read`.
    _M.tell()
    if commit ~= "-" then
        commits:set(commit, true, SECONDS)
    end
end

-- The present, to be compared with another: begin with it, and ask for everything else afterwards. In this order: the
-- number is never that of a former life.
function _M.moment()
    local life = _M.life()
    return { life = life, told = counters:get("told") or 0 }
end

-- Whether nothing has been told since. In this order: the life lasted when the number was read, so it is the life's.
function _M.is_as_at(moment)
    return (counters:get("told") or 0) == moment.told and _M.life() == moment.life
end

-- Where tags stand in a life, as a text to compare. The list remembers it for as long as nothing more has been told:
-- what was acknowledged has been told, so whoever asks afterwards reads anew.
function _M.read(tags, life)
    local told = counters:get("told") or 0
    if tags.told == told and tags.life == life then
        return tags.text
    end
    local found = {}
    for i = 1, #tags do
        found[i] = counters:get("tag " .. tags[i]) or 0
    end
    tags.told, tags.life, tags.text = told, life, table.concat(found, ".")
    return tags.text
end

-- Where one tag stands in the present life.
function _M.read_one(tag)
    return counters:get("tag " .. tag) or 0
end

function _M.moves()
    return counters:get("moves") or 0
end

-- Whether none of the tags has moved since there were so many `moves`. Ask after `read`.
function _M.stood_still(tags, since)
    local now = _M.moves()
    if now - since >= REMEMBERED then
        return false
    end
    local ours = {}
    for _, tag in ipairs(tags) do
        ours[tag] = true
    end
    for number = since + 1, now do
        local move = counters:get("move " .. number % REMEMBERED)
        local told, tag = (move or ""):match("^(%d+) (.*)$")
        if tonumber(told) ~= number or ours[tag] then
            return false
        end
    end
    return true
end

return _M
