-- The health of a CapabilityPolicy. Violations, labels of another owner, and too many policies with restricted use
-- appear in the message, but never change the health. In Argo CD, a script has only the functions of base and table.
local status = obj.status or {}
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local accepted = conditions.Accepted
local programmed = conditions.Programmed

-- The status is missing, or is about an earlier text of the policy.
if accepted == nil or programmed == nil or status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "the operator has not looked at this version of the policy yet" }
end
if accepted.status == "False" then
  return { status = "Degraded", message = accepted.message }
end
if programmed.status ~= "True" then
  return { status = "Progressing", message = programmed.message }
end

local refused = conditions.LabelRefused
-- The operator has decided to enforce the policy in a namespace, but the policy is not enforced there.
if refused ~= nil and conditions.Ready ~= nil and conditions.Ready.status ~= "True" then
  return { status = "Progressing", message = refused.message }
end

local messages = { programmed.message }
if conditions.Expired ~= nil and conditions.Expired.status == "False" then
  table.insert(messages, conditions.Expired.message)
end
-- A rollout that is not complete is not a problem. If workloads violate the policy, a rollout may take weeks.
local rollout = status.rollout
if rollout ~= nil and (rollout.soaking or 0) + (rollout.blocked or 0) > 0 then
  local text = "rolled out to " .. tostring(rollout.progress) .. " namespaces"
  if (rollout.blocked or 0) > 0 then
    text = text .. ", workloads block it in " .. tostring(rollout.blocked)
  end
  table.insert(messages, text)
end
if conditions.Compliant ~= nil and conditions.Compliant.status == "False" then
  table.insert(messages, conditions.Compliant.message)
end
if conditions.LabelConflict ~= nil and conditions.LabelConflict.status == "True" then
  table.insert(messages, conditions.LabelConflict.message)
end
if refused ~= nil and refused.status == "True" then
  table.insert(messages, refused.message)
end
if conditions.UseLimitExceeded ~= nil and conditions.UseLimitExceeded.status == "True" then
  table.insert(messages, conditions.UseLimitExceeded.message)
end
return { status = "Healthy", message = table.concat(messages, "; ") }
