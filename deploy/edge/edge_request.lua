-- Decides of a request whether a kept answer may serve it, under which key, and of an answer whether it may be kept.

local lru = require "resty.lrucache"
local memory = require "edge_memory"
local metrics = require "edge_metrics"
local naming = require "edge_naming"
local resources = require "edge_resources"
local state = require "edge_state"

local known = ngx.shared.edge_known

-- So many callers, and so many of their questions, are remembered ready for use in each worker; callers besides in the
-- shared dictionary.
local READY = 5000
-- Whom the application names nobody is passed on for so many seconds without being asked about.
local NOBODY, NOBODY_SECONDS = "nobody", 5

local _M = {}
local ready
local asked

local function parsed_caller(text)
    local words = {}
    for word in text:gmatch("%S+") do
        words[#words + 1] = word
    end
    return {
        text = text,
        life = words[1],
        till = tonumber(words[2]),
        counters = words[3],
        stamp = words[4],
        shared = words[5],
        own = words[6],
        tags = { unpack(words, 7) },
    }
end

local function is_good(caller, life)
    return caller.life == life and caller.till > state.now() and state.read(caller.tags, life) == caller.counters
end

-- Who sent this Authorization, if that is known for certain; false for somebody of whom nothing is kept.
local function caller_of(name, life)
    ready = ready or lru.new(READY)
    local caller = ready:get(name)
    if caller and is_good(caller, life) then
        return caller
    end
    local text = known:get(name)
    if text == NOBODY then
        return false
    end
    if text and (not caller or caller.text ~= text) then
        caller = parsed_caller(text)
        if is_good(caller, life) then
            ready:set(name, caller)
            return caller
        end
    end
end

-- One text for the queries that ask the same, and whether one asks for more than the resource's own rows. The order of
-- two names means nothing, that of one name's values may. Where a name could be spelt in two ways nothing is moved.
local function canonical(query)
    if not query or query == "" then
        return "", false
    end
    local parts, rank, position = {}, {}, 0
    for pair in (query .. "&"):gmatch("([^&]*)&") do
        local name = pair:match("^([%w_.-]+)=") or pair:match("^[%w_.-]+$")
        if not name then
            return query, true
        end
        position = position + 1
        parts[position] = pair
        rank[position] = { name, position }
    end
    local includes = false
    table.sort(rank, function(a, b)
        return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2])
    end)
    local sorted = {}
    for i, each in ipairs(rank) do
        includes = includes or each[1] == "include"
        sorted[i] = parts[each[2]]
    end
    return table.concat(sorted, "&"), includes
end

-- Let the answer be looked up under a key on disk, and kept there and here: in a location of its own, so that what is
-- answered from memory passes by nothing that takes bodies down.
local function look_up(var, key, keep)
    var.edge_key, var.edge_keep = key, keep
    return ngx.exec("@edge_look_up")
end

-- Let the answer be looked up, and kept, under everything it depends on; not if a life ends meanwhile, whose counters
-- another one begins at. Returns the key it has here, and how the application names what it depends on.
local function named(var, caller, resource, life, path, query)
    local text, includes = canonical(query)
    local sight = (resource.is_everybodys and not includes) and caller.shared or caller.own
    local counters, keep = resources.depends(resource, life, path, includes)
    if state.life() ~= life then
        return
    end
    local key = table.concat({
        life, counters, caller.stamp, sight, var.host, path, text, var.http_origin or "",
    }, " ")
    -- As the application names it, for whom and under what it has answered.
    return key, table.concat({ caller.stamp, sight, keep }, " ")
end

local function split(request_uri)
    local mark = request_uri:find("?", 1, true)
    if mark then
        return request_uri:sub(1, mark - 1), request_uri:sub(mark + 1)
    end
    return request_uri
end

-- What the application has to answer itself: whatever is no plain question of somebody logged in.
local function is_plain(var)
    local authorization = var.http_authorization
    return var.edge_is_plain == "1" and authorization and authorization:sub(1, 7):lower() == "bearer "
end

-- Answer from memory, or look up, what was asked before, if nothing at all has moved since and nobody's time is over.
local function again(var, question)
    local known_question = asked and asked:get(question)
    if not known_question or not state.is_as_at(known_question) or known_question.till <= state.now() then
        return false
    end
    local answer = memory.get(known_question.key)
    if answer then
        metrics.count("edge")
        return memory.send(answer, var.http_x_request_id and var.edge_request_id or naming.request())
    end
    return look_up(var, known_question.key, known_question.keep)
end

function _M.decide()
    local var = ngx.var
    if not is_plain(var) then
        return
    end
    local name = naming.caller(var.http_authorization)
    local question = name .. var.edge_question
    if again(var, question) then
        return
    end
    local path, query = split(var.request_uri)
    local list = resources.list_of(path)
    if not list then
        return
    end
    local moment = state.moment()
    local life = moment.life
    if not life then
        return metrics.count("blind")
    end
    local places = resources.current()
    local resource = places and places.at[list]
    if places and not resource then
        return
    end
    local caller = caller_of(name, life)
    if caller == false then
        return
    end
    if caller and resource and caller.stamp == places.stamp then
        moment.key, moment.keep = named(var, caller, resource, life, path, query)
        if not moment.key then
            return
        end
        moment.till = caller.till
        asked = asked or lru.new(READY)
        asked:set(question, moment)
        return look_up(var, moment.key, moment.keep)
    end
    return ngx.exec("@edge_ask")
end

function _M.before_asking()
    local ctx = ngx.ctx
    ctx.edge_life, ctx.edge_moves, ctx.edge_began = state.life(), state.moves(), state.now()
end

-- The application names nobody; and whoever asks for this from outside finds nothing.
function _M.nobody()
    if ngx.is_subrequest then
        return ngx.exit(ngx.HTTP_NO_CONTENT)
    end
    ngx.status = ngx.HTTP_NOT_FOUND
    ngx.header["Content-Type"] = "application/problem+json"
    ngx.print(ngx.var.problem)
end

-- Learn who calls, unless something that this depends on has moved since before it was asked.
function _M.after_asking()
    local var, ctx = ngx.var, ngx.ctx
    local name = naming.caller(var.http_authorization)
    local stamp, seconds, sights, tags = (var.edge_caller or ""):match("^(%S+) (%d+) (%S+ %S+) (.+)$")
    if not stamp then
        known:set(name, NOBODY, NOBODY_SECONDS)
        return
    end
    resources.learn(stamp .. " " .. var.edge_resources)
    local list = {}
    for tag in tags:gmatch("%S+") do
        list[#list + 1] = tag
    end
    local life = ctx.edge_life
    local counters = state.read(list, life)
    if not life or not state.stood_still(list, ctx.edge_moves) or state.life() ~= life then
        return
    end
    local text = table.concat({ life, ctx.edge_began + tonumber(seconds), counters, stamp, sights, tags }, " ")
    known:set(name, text, tonumber(seconds))
    local path, query = split(var.request_uri)
    -- Another worker may have begun a life meanwhile, and forgotten what is known.
    local places = resources.current()
    local resource = places and places.at[resources.list_of(path)]
    local key, keep
    if resource then
        key, keep = named(var, parsed_caller(text), resource, life, path, query)
    end
    if key then
        return look_up(var, key, keep)
    end
end

-- Before an answer leaves: hear what it has moved, let it be kept, and take somebody else's request off a kept one.
function _M.finish()
    if memory.is_sending() then
        return
    end
    local var = ngx.var
    local raised = var.upstream_http_x_edge_raised
    if raised then
        for line in raised:gmatch("[^,]+") do
            state.raise(line)
        end
        return
    end
    if not ngx.ctx.edge_looks_up then
        return
    end
    if var.upstream_cache_status == "HIT" then
        metrics.count("edge")
        local header = ngx.header
        header["X-Cache"] = "EDGE-HIT"
        header["X-Request-ID"] = var.edge_request_id
        header["RateLimit"] = nil
        header["RateLimit-Policy"] = nil
    else
        metrics.count("application")
        if var.upstream_http_x_edge_keep ~= var.edge_keep or ngx.status ~= ngx.HTTP_OK then
            return
        end
        var.edge_no_store = "0"
    end
    if ngx.status == ngx.HTTP_OK then
        ngx.ctx.edge_answer = memory.begin(var.edge_key)
    end
end

-- The answer of this request is looked up, and may be kept.
function _M.look_up()
    ngx.ctx.edge_looks_up = true
end

-- A part of an answer's body leaves.
function _M.take_down()
    local answer = ngx.ctx.edge_answer
    if answer then
        memory.add(answer, ngx.arg[1], ngx.arg[2])
    end
end

return _M
