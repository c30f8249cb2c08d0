-- The answers that were asked for most lately, whole, in each of nginx's workers: what is on disk under the same key, but
-- without a file to open, headers to parse and a key to look up between the workers.

-- So many bytes of answers in each worker, with what keeping one takes beside its body; none larger than so many, and
-- each for so many seconds before it is read again from where it is kept.
local MOST, KEEPING, LARGEST, SECONDS = 32 * 1024 * 1024, 4096, 32768, 60
-- What belongs to one answer alone, or to the connection it was sent on.
local NOT_KEPT = {
    connection = true,
    ["content-length"] = true,
    date = true,
    ratelimit = true,
    ["ratelimit-policy"] = true,
    server = true,
    ["transfer-encoding"] = true,
    ["x-cache"] = true,
    ["x-request-id"] = true,
}
-- What nginx adds by itself where an answer has nothing of it, by the variable that says what: not kept if it is that.
local ADDED = {
    ["strict-transport-security"] = "usual_hsts",
    ["x-content-type-options"] = "usual_nosniff",
    ["x-frame-options"] = "usual_frame_options",
    ["referrer-policy"] = "usual_referrer_policy",
    ["content-security-policy"] = "usual_content_policy",
    ["permissions-policy"] = "usual_permissions_policy",
    ["cross-origin-opener-policy"] = "usual_opener_policy",
}

local _M = {}
-- When the latest fill half of the room, the older ones go, but for those that were asked for meanwhile.
local latest, older, bytes = {}, {}, 0
local is_sending = false

local function weight(answer)
    return #answer.body + KEEPING
end

local function put(key, answer)
    local former = latest[key]
    bytes = bytes + weight(answer) - (former and weight(former) or 0)
    if bytes > MOST / 2 then
        latest, older, bytes = {}, latest, weight(answer)
    end
    latest[key] = answer
end

-- The answer under a key, if it is here.
function _M.get(key)
    local answer = latest[key]
    if not answer then
        answer = older[key]
        if not answer then
            return
        end
        put(key, answer)
    end
    return answer.till > ngx.now() and answer or nil
end

-- Keep an answer.
function _M.keep(key, body, headers)
    put(key, { body = body, length = #body, headers = headers, till = ngx.now() + SECONDS })
end

-- Begin to take down an answer whose headers are known by now; nil for one that is too large, of
-- unknown length, or for one reader alone.
function _M.begin(key)
    local header = ngx.header
    local length = tonumber(header["Content-Length"])
    if not length or length > LARGEST or header["Set-Cookie"] then
        return
    end
    local headers = {}
    for name, value in pairs(ngx.resp.get_headers(0, true)) do
        local known = name:lower()
        if not NOT_KEPT[known] and not (ADDED[known] and value == ngx.var[ADDED[known]]) then
            headers[#headers + 1] = { name, value }
        end
    end
    return { key = key, length = length, headers = headers, parts = {} }
end

-- Take down a part of the body, and keep the answer when it is whole.
function _M.add(answer, part, is_last)
    local parts = answer.parts
    parts[#parts + 1] = part
    if not is_last then
        return
    end
    local body = table.concat(parts)
    answer.parts = nil
    if #body == answer.length then
        _M.keep(answer.key, body, answer.headers)
    end
end

-- Send an answer as one to this request.
function _M.send(answer, request_id)
    local header, headers = ngx.header, answer.headers
    for i = 1, #headers do
        header[headers[i][1]] = headers[i][2]
    end
    header["Content-Length"] = answer.length
    header["X-Cache"] = "EDGE-HIT"
    header["X-Request-ID"] = request_id
    is_sending = true
    local is_sent, failure = pcall(ngx.print, answer.body)
    is_sending = false
    if not is_sent then
        error(failure)
    end
    return ngx.exit(ngx.HTTP_OK)
end

-- Whether the answer that leaves at this very moment comes from here.
function _M.is_sending()
    return is_sending
end

return _M
