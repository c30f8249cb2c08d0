-- What operators watch of the edge, in Prometheus's text format: where reads were answered, and how well it hears.
--
-- Each worker counts for itself and adds what it has counted to what all share once a second, so a request pays nothing.

local state = require "edge_state"

local metrics = ngx.shared.edge_metrics

local PREFIX, SECONDS = "campushub360_edge_", 1
-- The promise is a second; the aim on one host is 50 ms.
local BOUNDS = { 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1 }
local FOUND = { "edge", "application", "blind" }

local _M = {}
local counted = {}

-- Count a read: one whose answer may be kept, from the `edge` or from the `application`, or one that the application
-- was left to answer because the edge was `blind`.
function _M.count(found)
    counted[found] = (counted[found] or 0) + 1
end

-- Take note of how long a question took on the connection on which moves are heard: no move is heard later than that.
function _M.heard(seconds)
    for i, bound in ipairs(BOUNDS) do
        if seconds <= bound then
            metrics:incr("le " .. i, 1, 0)
        end
    end
    metrics:incr("heard", 1, 0)
    metrics:incr("seconds", seconds, 0)
end

-- Take note that the edge began anew.
function _M.began()
    metrics:incr("lives", 1, 0)
end

local function add_up()
    local mine = counted
    counted = {}
    for found, count in pairs(mine) do
        metrics:incr("found " .. found, count, 0)
    end
end

function _M.start()
    assert(ngx.timer.every(SECONDS, add_up))
end

local function family(lines, name, kind, help, samples)
    lines[#lines + 1] = ("# HELP %s%s %s\n# TYPE %s%s %s"):format(PREFIX, name, help, PREFIX, name, kind)
    for _, sample in ipairs(samples) do
        lines[#lines + 1] = ("%s%s%s %s"):format(PREFIX, name, sample[1], tostring(sample[2]))
    end
end

local function buckets()
    local samples, all = {}, metrics:get("heard") or 0
    for i, bound in ipairs(BOUNDS) do
        samples[i] = { ('_bucket{le="%s"}'):format(bound), metrics:get("le " .. i) or 0 }
    end
    samples[#samples + 1] = { '_bucket{le="+Inf"}', all }
    samples[#samples + 1] = { "_sum", metrics:get("seconds") or 0 }
    samples[#samples + 1] = { "_count", all }
    return samples
end

function _M.tell()
    local lines, answers = {}, {}
    for i, found in ipairs(FOUND) do
        answers[i] = { ('{found="%s"}'):format(found), metrics:get("found " .. found) or 0 }
    end
    family(lines, "answers_total", "counter", "Reads whose answers may be kept, by where they were found.", answers)
    family(lines, "feed_delay_seconds", "histogram", "How late moves of tags are heard, at most.", buckets())
    family(lines, "lives_total", "counter", "How often the edge has begun with nothing.", {
        { "", metrics:get("lives") or 0 },
    })
    family(lines, "trusted_seconds", "gauge", "How much longer it may serve what it keeps; 0 while it is blind.", {
        { "", state.trusted_left() },
    })
    family(lines, "moves_total", "counter", "Moves of tags heard of since it began.", { { "", state.moves() } })
    ngx.header["Content-Type"] = "text/plain; version=0.0.4"
    ngx.print(table.concat(lines, "\n"), "\n")
end

return _M
