-- Sends the requests of the file REQUESTS, one a line and each once: method, path, token, and body, parted by tabs.
-- Says at the end, or as soon as the last of them is answered, how often each status and each X-Cache was, and how many
-- were answered in a second. It counts in one thread.

local ffi = require "ffi"

ffi.cdef [[
    typedef struct { long seconds; long nanoseconds; } instant;
    int clock_gettime(int clock, instant *instant);
]]
local MONOTONIC = 1

local lines, planned, sent, answered, began, seen = {}, 0, -1, 0, nil, {}
local FOR_EVER = 1000000000
local threads = {}
summary = ""

local function now()
    local instant = ffi.new("instant[1]")
    ffi.C.clock_gettime(MONOTONIC, instant)
    return tonumber(instant[0].seconds) + tonumber(instant[0].nanoseconds) / 1e9
end

local function summed()
    local parts = {}
    for word, count in pairs(seen) do
        parts[#parts + 1] = word .. "=" .. count
    end
    local rate = ("Requests/sec: %11.2f"):format(answered / math.max(now() - began, 1e-6))
    return "Answered: " .. table.concat(parts, ";") .. "\nReplayed " .. rate
end

function setup(thread)
    threads[#threads + 1] = thread
end

function init()
    for line in io.lines(os.getenv("REQUESTS")) do
        lines[#lines + 1] = line
    end
end

-- Before each request: when all are on their way, a connection has nothing more to ask.
function delay()
    planned = planned + 1
    return planned > #lines and FOR_EVER or 0
end

function request()
    sent = sent + 1
    began = sent > 0 and (began or now()) or nil
    -- The first is made to see that one can be, and never sent.
    local method, path, token, body = (lines[sent] or "GET\t/livez\t\t"):match("^([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)$")
    local headers = { ["Host"] = wrk.headers["Host"] }
    if token ~= "" then
        headers["Authorization"] = "Bearer " .. token
    end
    if body ~= "" then
        headers["Content-Type"] = "application/json"
        -- What is replaced is replaced once, and nobody has changed it before.
        headers["If-Match"] = method == "PATCH" and "*" or method == "PUT" and '"1-0"' or nil
    end
    return wrk.format(method, path, headers, body ~= "" and body or nil)
end

function response(status, headers)
    answered = answered + 1
    local word = status .. " " .. (headers["X-Cache"] or "-")
    seen[word] = (seen[word] or 0) + 1
    if answered == #lines then
        print(summed())
        io.stdout:flush()
        os.exit(0)
    end
    if answered < 1000 or answered % 100 == 0 then
        summary = summed()
    end
end

function done()
    print(threads[1]:get("summary"))
end
