-- What a caller and a request are called here. Tokens themselves are kept nowhere.

local bit = require "bit"
local ffi = require "ffi"

ffi.cdef [[
    int SHA256_Init(void *state);
    int SHA256_Update(void *state, const void *text, size_t length);
    int SHA256_Final(unsigned char *digest, void *state);
]]
-- A state takes 112 bytes.
local state, digest, LENGTH = ffi.new("uint64_t[32]"), ffi.new("unsigned char[32]"), 32

local _M = {}
local secret
local prefix, number = nil, 0

local function random(length)
    local source = io.open("/dev/urandom", "rb")
    local bytes = source:read(length)
    source:close()
    return bytes
end

-- In the master, so that all workers name a caller alike.
function _M.prepare()
    secret = random(32)
end

-- In each worker, so that no two name a request alike.
function _M.start()
    prefix = random(12):gsub(".", function(c) return ("%02x"):format(c:byte()) end)
end

-- The caller who sends this Authorization. By the library's own digest: nginx's takes three times as long for a token.
function _M.caller(authorization)
    ffi.C.SHA256_Init(state)
    ffi.C.SHA256_Update(state, secret, #secret)
    ffi.C.SHA256_Update(state, authorization, #authorization)
    ffi.C.SHA256_Final(digest, state)
    local name = ffi.string(digest, LENGTH)
    return name
end

-- A request that nobody else has named. nginx's own names cost random bytes each.
function _M.request()
    number = (number + 1) % 0x100000000
    local name = prefix .. bit.tohex(number)
    return name
end

return _M
