-- As much of Redis's protocol (RESP3) as the feed needs: there, answers and what is published come on one connection, in
-- the order in which they happened.

local tcp = ngx.socket.tcp

local CONNECT, SEND, READ = 500, 500, 1000

local _M = {}
_M.__index = _M

-- What `redis://user:password@127.0.0.1:6379/0` names; nil if it names nothing of the kind.
function _M.parse(url)
    local scheme, rest = (url or ""):match("^(rediss?)://(.+)$")
    if not scheme then
        return nil
    end
    local credentials, place = rest:match("^(.*)@(.-)$")
    local host, port, database = (place or rest):match("^([^:/]+):?(%d*)/?(%d*)")
    if not host then
        return nil
    end
    local user, password = (credentials or ""):match("^([^:]*):?(.*)$")
    return {
        tls = scheme == "rediss",
        host = host,
        port = tonumber(port) or 6379,
        database = tonumber(database) or 0,
        user = user ~= "" and ngx.unescape_uri(user) or "default",
        password = ngx.unescape_uri(password or ""),
    }
end

function _M.connect(place)
    local socket = tcp()
    socket:settimeouts(CONNECT, SEND, READ)
    assert(socket:connect(place.host, place.port))
    if place.tls then
        assert(socket:sslhandshake(nil, place.host, true))
    end
    local self = setmetatable({ socket = socket }, _M)
    if place.password ~= "" then
        self:ask("HELLO", 3, "AUTH", place.user, place.password)
    else
        self:ask("HELLO", 3)
    end
    self:ask("SELECT", place.database)
    return self
end

function _M:send(...)
    local words = { ... }
    local parts = { "*", #words, "\r\n" }
    for _, word in ipairs(words) do
        word = tostring(word)
        parts[#parts + 1] = "$" .. #word .. "\r\n" .. word .. "\r\n"
    end
    assert(self.socket:send(parts))
end

-- The next thing that comes, and whether it was published instead of asked for.
function _M:read()
    local line = assert(self.socket:receive("*l"))
    local kind, value = line:sub(1, 1), line:sub(2)
    if kind == "-" or kind == "!" then
        error("Redis refuses: " .. value, 0)
    elseif kind == "$" or kind == "=" then
        local length = tonumber(value)
        if length < 0 then
            return nil
        end
        local text = assert(self.socket:receive(length))
        assert(self.socket:receive(2))
        return text
    elseif kind == ":" then
        return tonumber(value)
    elseif kind == "*" or kind == ">" or kind == "~" or kind == "%" then
        local items = {}
        for i = 1, tonumber(value) * (kind == "%" and 2 or 1) do
            items[i] = self:read()
        end
        return items, kind == ">"
    elseif kind == "_" then
        return nil
    end
    return value
end

function _M:ask(...)
    self:send(...)
    return self:read()
end

function _M:close()
    self.socket:close()
end

return _M
