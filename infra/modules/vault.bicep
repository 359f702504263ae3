// A vault by RBAC alone, whose secrets survive deletion; every access is logged.
param location string
param tags object
param name string
@description('Object id of who may write secrets.')
param officer string
param workspace string

var secretsOfficer = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7')

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    // The master key is here: without it the journal cannot be read.
    enablePurgeProtection: true
  }
}

resource officerRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, officer, secretsOfficer)
  scope: vault
  properties: { principalId: officer, roleDefinitionId: secretsOfficer }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
  properties: {
    workspaceId: workspace
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

output name string = vault.name
