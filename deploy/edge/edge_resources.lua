-- Where answers may be kept, and what they depend on, as the application tells it (core.api.edge).

local state = require "edge_state"

local known = ngx.shared.edge_known

local IDENTIFIER = 36

local _M = {}
local resources = { text = "" }

-- What the answers of one resource depend on. A first tag that ends in ":" has parts for the ends of its rows' keys.
local function resource_of(path, whose, tags)
    local own, digits = whose:match("^(%a+):?(%d*)$")
    local divided = tags:match("^%S+"):match("^(.+):$")
    local list, of_row = {}, {}
    for tag in tags:gmatch("%S+") do
        list[#list + 1] = tag:match("^(.-):?$")
    end
    local resource = { path = path, is_everybodys = own == "all", tags = list }
    resource.keep = table.concat(list, " ")
    if divided then
        for i = 2, #list do
            of_row[i - 1] = list[i]
        end
        of_row[#of_row + 1] = divided .. ":*"
        resource.row = { digits = tonumber(digits), tags = of_row, part = divided .. ":" }
        resource.row.keep = table.concat(of_row, " ") .. " " .. resource.row.part
    end
    return resource
end

-- Where answers may be kept: by the path of a list, whose they are and what they depend on.
function _M.current()
    local text = known:get("resources")
    if text and text ~= resources.text then
        resources = { text = text, at = {} }
        local stamp, rest = text:match("^(%S+) (.*)$")
        resources.stamp = stamp
        for path, whose, tags in rest:gmatch("(%S+) (%S+) ([^;]+);?") do
            resources.at[path] = resource_of(path, whose, tags)
        end
    end
    return text and resources
end

-- Take what the application has said of them.
function _M.learn(text)
    if known:get("resources") ~= text then
        known:set("resources", text)
        state.tell()
    end
end

-- The list that a path is, or is a row of; nil for any other path, and for another spelling of one.
function _M.list_of(path)
    if not path:find("^/api/[%w/-]+/$") then
        return nil
    end
    local list, id = path:match("^(.*/)([%x-]+)/$")
    return id and #id == IDENTIFIER and list or path
end

-- Where what an answer depends on stands, and how the application names that.
function _M.depends(resource, life, path, includes)
    local row = resource.row
    if not row or includes or path == resource.path then
        return state.read(resource.tags, life), resource.keep
    end
    local ending = path:sub(-1 - row.digits, -2)
    return state.read(row.tags, life) .. "." .. state.read_one(row.part .. ending), row.keep .. ending
end

return _M
