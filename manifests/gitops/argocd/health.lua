-- Health of an AnalysisJob for Argo CD. Argo CD opens no string library; `obj` is the AnalysisJob.
--   Degraded     Stalled or Failed: someone must act
--   Suspended    by spec.suspend or by a queueing system
--   Healthy      Complete, or Ready: the cluster is as the file says, though the run may take days
--   Progressing  all else, and a status that speaks of an older generation
local function condition(kind)
  for _, one in ipairs(obj.status.conditions or {}) do
    if one.type == kind and one.status == "True" then
      return one
    end
  end
end

local function health(status, one, otherwise)
  local words = otherwise
  if one ~= nil then
    words = one.message
    if words == nil or words == "" then
      words = one.reason
    end
  end
  return { status = status, message = words }
end

if obj.status == nil or obj.status.observedGeneration == nil then
  return health("Progressing", nil, "the operator has not seen it yet")
end
if obj.metadata.generation ~= nil and obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", nil, "the operator has not seen this generation yet")
end

local bad = condition("Stalled") or condition("Failed")
if bad then
  return health("Degraded", bad)
end
local suspended = condition("Suspended")
if suspended then
  return health("Suspended", suspended)
end
local good = condition("Complete") or condition("Ready")
if good then
  return health("Healthy", good)
end
return health("Progressing", condition("Reconciling"), "the operator is at work")
