-- The answers that were asked for most lately, whole, in each of nginx's workers: what is on disk under the same key, but
-- without a file to open, headers to parse and a key to look up between the workers.

local lru = require "resty.lrucache"

-- So many answers, none larger than so many bytes, and each for so many seconds before it is read again from where it
-- is kept.
local MOST, LARGEST, SECONDS = 2000, 32768, 60
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
local answers
local is_sending = false

-- The answer under a key, if it is here.
function _M.get(key)
    return answers and answers:get(key)
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
        answers = answers or lru.new(MOST)
        answers:set(answer.key, { body = body, length = answer.length, headers = answer.headers }, SECONDS)
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
