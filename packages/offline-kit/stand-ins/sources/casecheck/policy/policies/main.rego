# Stand-in for CaseCheck's policy: who may do what with activities, attendance and accounts. As with the original, a reason is just `true`.
package casecheck.authz

default allow := false

subject := input.subject

resource := input.resource

member if subject.role in ["USER", "ADMIN"]

visitor if subject.role in ["USER", "GUEST", "ADMIN"]

admin if subject.role == "ADMIN"

creator if subject.id == resource.creator_id

allow if input.action in ["activity:list", "user:read_self"]

# Activities, from the draft to the start.
allow if {
	input.action == "activity:create"
	member
}

allow if {
	input.action == "activity:read"
	resource.status in ["APPROVED", "IN_PROGRESS", "COMPLETED"]
}

allow if {
	input.action == "activity:read"
	creator
}

allow if {
	input.action == "activity:read"
	admin
}

allow if {
	input.action == "activity:submit"
	creator
	resource.status == "DRAFT"
}

allow if {
	input.action == "activity:approve"
	admin
	subject.id != resource.creator_id
	resource.status == "PENDING_APPROVAL"
}

allow if {
	input.action == "activity:start"
	runs
	resource.status == "APPROVED"
}

# Attendance.
runs if creator

runs if admin

allow if {
	input.action in ["attendance:generate_qr", "attendance:view"]
	runs
}

allow if {
	input.action == "attendance:validate_qr"
	visitor
}

allow if {
	input.action == "attendance:register"
	visitor
	resource.status in ["APPROVED", "IN_PROGRESS"]
}

allow if {
	input.action == "attendance:checkin"
	visitor
	resource.status == "IN_PROGRESS"
}

allow if {
	input.action == "attendance:checkout"
	visitor
	input.context.is_checked_in == true
}

# Accounts.
allow if {
	input.action == "user:list"
	admin
}

needed := {
	"activity:submit": "DRAFT",
	"activity:approve": "PENDING_APPROVAL",
	"activity:start": "APPROVED",
	"attendance:checkin": "IN_PROGRESS",
}

denied contains "status" if resource.status != needed[input.action]

denied contains "status" if {
	input.action == "attendance:register"
	not resource.status in ["APPROVED", "IN_PROGRESS"]
}

denied contains "not the creator" if {
	input.action == "activity:submit"
	subject.id != resource.creator_id
}

denied contains "the creator" if {
	input.action == "activity:approve"
	creator
}

denied contains "not an administrator" if {
	input.action in ["activity:approve", "user:list"]
	subject.role != "ADMIN"
}

denied contains "neither" if {
	input.action in ["activity:start", "attendance:generate_qr"]
	subject.role != "ADMIN"
	subject.id != resource.creator_id
}

denied contains "not checked in" if {
	input.action == "attendance:checkout"
	input.context.is_checked_in != true
}

response := {"allow": allow, "reasons": [true | some _ in denied]}
