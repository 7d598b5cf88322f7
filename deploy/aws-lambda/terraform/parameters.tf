# Placeholders: the server refuses to start while one is left. The value is written once and never read back
# (write-only), so no secret gets into the state; what is put there later stays.
resource "aws_ssm_parameter" "secret" {
  for_each = var.secrets

  name             = "${var.ssm_param_prefix}/${each.value}"
  description      = "Secret of managed-agent-control, read at start"
  type             = "SecureString"
  key_id           = var.kms_key_arn
  value_wo         = "replace-me"
  value_wo_version = 1
  tags             = var.tags

  lifecycle {
    # The API takes such a change only together with the value, which is not known here. The key is chosen with each
    # value that is put (--key-id).
    ignore_changes = [description, key_id]
  }
}
