internal import Cluster

extension ClusterFileError: BadInput {}
extension EndpointText.Malformed: BadInput {}
extension PlaceError: BadInput {}
