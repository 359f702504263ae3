// AKS: a system pool, and a pool for each network class, tainted and labelled with it, so that only its pods are in its subnet.
param location string
param tags object
param name string
@description('Subnet ids: system, public, internal, compliance.')
param subnets object
param workspace string
param registryName string
param vaultName string
@description('Object id of who administers the cluster.')
param admin string
param apiServerCidrs array
param nodeSize string

@description('Namespace and service account of the pods, as infra/k8s has them.')
param serviceAccount string = 'hybrid:hybrid'

var roles = {
  networkContributor: '4d97b98b-1d4f-4787-a291-c67834d212e7'
  acrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
  secretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  clusterAdmin: 'b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b'
}
var zones = ['1', '2', '3']
var pools = [
  { name: 'public', least: 2, most: 4, size: 'Standard_D2s_v5' }
  { name: 'internal', least: 3, most: 9, size: nodeSize }
  { name: 'compliance', least: 2, most: 4, size: 'Standard_D2s_v5' }
]

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = { name: registryName }

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = { name: vaultName }

resource vnet 'Microsoft.Network/virtualNetworks@2024-05-01' existing = { name: split(subnets.system, '/')[8] }

resource clusterIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-${name}'
  location: location
  tags: tags
}

resource workload 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-${name}-workload'
  location: location
  tags: tags
}

resource joinSubnets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vnet.id, clusterIdentity.id, roles.networkContributor)
  scope: vnet
  properties: {
    principalId: clusterIdentity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.networkContributor)
  }
}

resource cluster 'Microsoft.ContainerService/managedClusters@2025-01-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: 'Base', tier: 'Standard' }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${clusterIdentity.id}': {} }
  }
  dependsOn: [joinSubnets]
  properties: {
    dnsPrefix: name
    enableRBAC: true
    disableLocalAccounts: true
    aadProfile: { managed: true, enableAzureRBAC: true, tenantID: tenant().tenantId }
    apiServerAccessProfile: { authorizedIPRanges: apiServerCidrs }
    autoUpgradeProfile: { upgradeChannel: 'patch', nodeOSUpgradeChannel: 'NodeImage' }
    oidcIssuerProfile: { enabled: true }
    securityProfile: { workloadIdentity: { enabled: true } }
    networkProfile: {
      networkPlugin: 'azure'
      networkDataplane: 'cilium'
      networkPolicy: 'cilium'
      loadBalancerSku: 'standard'
      outboundType: 'loadBalancer'
      serviceCidr: '10.21.0.0/16'
      dnsServiceIP: '10.21.0.10'
    }
    addonProfiles: {
      azureKeyvaultSecretsProvider: { enabled: true, config: { enableSecretRotation: 'true', rotationPollInterval: '2m' } }
      omsagent: { enabled: true, config: { logAnalyticsWorkspaceResourceID: workspace, useAADAuth: 'true' } }
    }
    agentPoolProfiles: [
      {
        name: 'system'
        mode: 'System'
        osType: 'Linux'
        osSKU: 'AzureLinux'
        vmSize: 'Standard_D2s_v5'
        availabilityZones: zones
        enableAutoScaling: true
        minCount: 2
        maxCount: 4
        count: 2
        vnetSubnetID: subnets.system
        maxPods: 60
        nodeTaints: ['CriticalAddonsOnly=true:NoSchedule']
        upgradeSettings: { maxSurge: '1' }
      }
    ]
  }
}

// One after the other: each changes the cluster.
@batchSize(1)
resource pool 'Microsoft.ContainerService/managedClusters/agentPools@2025-01-01' = [
  for each in pools: {
    parent: cluster
    // A pool's name has at most 12 letters and digits.
    name: each.name
    properties: {
      mode: 'User'
      osType: 'Linux'
      osSKU: 'AzureLinux'
      vmSize: each.size
      availabilityZones: zones
      enableAutoScaling: true
      minCount: each.least
      maxCount: each.most
      count: each.least
      vnetSubnetID: subnets[each.name]
      // Each takes an address of the subnet beforehand.
      maxPods: 30
      nodeLabels: { network: each.name }
      nodeTaints: ['network=${each.name}:NoSchedule']
      upgradeSettings: { maxSurge: '1', drainTimeoutInMinutes: 30 }
    }
  }
]

resource federation 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31' = {
  parent: workload
  name: 'pods'
  properties: {
    issuer: cluster.properties.oidcIssuerProfile.issuerURL
    subject: 'system:serviceaccount:${serviceAccount}'
    audiences: ['api://AzureADTokenExchange']
  }
}

resource readSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, workload.id, roles.secretsUser)
  scope: vault
  properties: {
    principalId: workload.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsUser)
  }
}

resource pullImages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, cluster.id, roles.acrPull)
  scope: registry
  properties: {
    principalId: cluster.properties.identityProfile.kubeletidentity.objectId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.acrPull)
  }
}

resource administer 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(cluster.id, admin, roles.clusterAdmin)
  scope: cluster
  properties: {
    principalId: admin
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.clusterAdmin)
  }
}

resource controlPlaneLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'control-plane'
  scope: cluster
  properties: {
    workspaceId: workspace
    logs: [
      { category: 'kube-audit-admin', enabled: true }
      { category: 'guard', enabled: true }
      { category: 'cluster-autoscaler', enabled: true }
    ]
  }
}

// omsagent with Entra sends what such a rule names; without one it sends nothing.
resource podLogs 'Microsoft.Insights/dataCollectionRules@2023-03-11' = {
  name: 'dcr-${name}'
  location: location
  tags: tags
  kind: 'Linux'
  properties: {
    dataSources: {
      extensions: [
        {
          name: 'ContainerInsights'
          extensionName: 'ContainerInsights'
          streams: ['Microsoft-ContainerLogV2', 'Microsoft-KubeEvents', 'Microsoft-KubePodInventory', 'Microsoft-Perf']
          extensionSettings: {
            dataCollectionSettings: { interval: '1m', namespaceFilteringMode: 'Off', enableContainerLogV2: true }
          }
        }
      ]
    }
    destinations: { logAnalytics: [{ name: 'workspace', workspaceResourceId: workspace }] }
    dataFlows: [
      {
        streams: ['Microsoft-ContainerLogV2', 'Microsoft-KubeEvents', 'Microsoft-KubePodInventory', 'Microsoft-Perf']
        destinations: ['workspace']
      }
    ]
  }
}

resource podLogsOfCluster 'Microsoft.Insights/dataCollectionRuleAssociations@2023-03-11' = {
  name: 'ContainerInsightsExtension'
  scope: cluster
  properties: { dataCollectionRuleId: podLogs.id }
}

output name string = cluster.name
output workloadClientId string = workload.properties.clientId
