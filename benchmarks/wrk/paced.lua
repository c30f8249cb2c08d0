-- Lets every connection wait before it asks again, for PAUSE milliseconds on average and never twice as long, so that
-- the server is asked at a steady rate that is below what it could answer.

local most = 2 * tonumber(os.getenv("PAUSE"))

function init()
    math.randomseed(os.time())
end

function delay()
    return math.random(0, most)
end
